#!/usr/bin/env node
import { nameAsCalled } from './command/name-as-called.ts'
import { runCommand } from './command/program.ts'

// The one place that reads argv and the environment; everything below gets values.
await runCommand(process.argv.slice(2), process.env, nameAsCalled(process.argv[1]))
