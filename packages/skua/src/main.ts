#!/usr/bin/env node
import { runCommand } from './command/program.ts'

// The one place that reads argv and the environment; everything below gets values.
await runCommand(process.argv.slice(2), process.env)
