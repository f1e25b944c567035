// A test file ends when its tests have, whatever still keeps its loop alive. Not --test-force-exit: with several files
// the runner itself may leave before the last of them have told what they found, and their failures are lost.
import { after } from 'node:test'

const graceMs = 2000

if (process.env.NODE_TEST_CONTEXT !== undefined) after(() => void setTimeout(() => process.exit(), graceMs).unref())
