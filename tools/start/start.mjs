// npm start [-- options]: what is missing is installed and built, then the command runs in this process.
import { prepare } from './prepare.mjs'

prepare()
await import('../../packages/skua/dist/bundle/main.js')
