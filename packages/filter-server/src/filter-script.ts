import variant from '@jitl/quickjs-wasmfile-release-sync'
import type { Clock } from '@skua-mq/runtime'
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
} from 'quickjs-emscripten-core'
import { type FilterContext, FilterFailed, NoFilter, type ScriptLimits } from './filter-limits.ts'
import type { FilteredMessage } from './filtered-message.ts'

/** Its types describe the CommonJS build, where the default export stands one level deeper. */
const releaseSync = variant as unknown as QuickJSSyncVariant

const wanted =
  'wanted is JavaScript that defines a function match(message, context), which answers whether the consumer gets the message'

/** Longest reason that is told; a filter may throw megabytes. */
const maxReasonLength = 500

/** Node has WebAssembly; the types of it come with those of browsers only. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => object }
}

/** What the WebAssembly instance has from its start, most of it free. */
const initialPages = 256
const pageBytes = 65_536

/**
 * Memory that grows to this and no more. QuickJS's own limit counts calls of malloc and not their sizes when it is
 * compiled to WebAssembly, so that it stops single large objects only.
 */
function limitedMemory(memoryBytes: number): object {
  const maximum = Math.min(32_768, initialPages + Math.ceil(memoryBytes / pageBytes))
  return new WebAssembly.Memory({ initial: initialPages, maximum })
}

/** Of QuickJS's own stack, far below that of the WebAssembly instance, so that recursion ends as an error of the script. */
const stackBytes = 256 * 1024

/** Runs inside, before the filter's text: keeps what the filter must not change, and makes messages of plain data. */
const prelude = `(bodyText, bodyBytes) => {
  const { parse } = JSON
  const { Uint8Array } = globalThis
  class Message {
    constructor(fields) { Object.assign(this, fields) }
    get bodyText() { return bodyText() }
    get body() { return new Uint8Array(bodyBytes()) }
  }
  return (match, message, context) => {
    const answer = match(new Message(parse(message)), parse(context))
    if (answer !== null && typeof answer === 'object' && typeof answer.then === 'function')
      throw new TypeError('match answers a promise; it must answer at once')
    return Boolean(answer)
  }
}`

/**
 * One filter in a sandbox: QuickJS in a WebAssembly instance of its own, which knows nothing of process, disk, network
 * or timers, and which a limit of time and one of memory end.
 */
export class FilterScript {
  private readonly clock: Clock
  private readonly limits: ScriptLimits
  private readonly runtime: QuickJSRuntime
  private readonly vm: QuickJSContext
  private readonly context: QuickJSHandle
  private run!: QuickJSHandle
  private match!: QuickJSHandle
  private current: FilteredMessage | undefined
  /** Monotonic ms at which the filter is stopped; Infinity while our own code runs. */
  private deadline = Number.POSITIVE_INFINITY

  private constructor(parts: { clock: Clock; limits: ScriptLimits; runtime: QuickJSRuntime; context: FilterContext }) {
    this.clock = parts.clock
    this.limits = parts.limits
    this.runtime = parts.runtime
    this.runtime.setMemoryLimit(parts.limits.memoryBytes)
    this.runtime.setMaxStackSize(stackBytes)
    this.runtime.setInterruptHandler(() => this.clock.monotonic() > this.deadline)
    this.vm = this.runtime.newContext()
    this.context = this.vm.newString(JSON.stringify(parts.context))
  }

  /** Rejects with NoFilter. */
  static async of(
    source: string,
    parts: { clock: Clock; limits: ScriptLimits; context: FilterContext },
  ): Promise<FilterScript> {
    // An instance for each filter: a host error in one (its stack, say) leaves nothing behind for others.
    const wasmMemory = limitedMemory(parts.limits.memoryBytes)
    const quickJs = await newQuickJSWASMModuleFromVariant(newVariant(releaseSync, { wasmMemory }))
    const script = new FilterScript({ ...parts, runtime: quickJs.newRuntime() })
    script.load(source, parts.context.className)
    return script
  }

  /** Throws FilterFailed; the script may be asked again. */
  matches(message: FilteredMessage): boolean {
    this.current = message
    try {
      return this.guarded(() => {
        const text = this.vm.newString(JSON.stringify(message.fields))
        const result = this.vm.callFunction(this.run, this.vm.undefined, this.match, text, this.context)
        text.dispose()
        if (result.error) throw this.failure(result.error)
        const answer = this.vm.dump(result.value) === true
        result.value.dispose()
        return answer
      })
    } finally {
      this.current = undefined
    }
  }

  private load(source: string, name: string): void {
    const { vm } = this
    const bodyText = vm.newFunction('bodyText', () => vm.newString(Buffer.from(this.body()).toString('utf8')))
    const bodyBytes = vm.newFunction('bodyBytes', () => vm.newArrayBuffer(Uint8Array.from(this.body()).buffer))
    const make = vm.unwrapResult(vm.evalCode(prelude, 'prelude.js'))
    this.run = vm.unwrapResult(vm.callFunction(make, vm.undefined, bodyText, bodyBytes))
    try {
      this.guarded(() => {
        const evaluated = vm.evalCode(source, `${name}.js`)
        if (evaluated.error) throw this.failure(evaluated.error)
        evaluated.value.dispose()
      })
    } catch (error) {
      throw new NoFilter(`the text of ${name} cannot be run: ${(error as Error).message}; ${wanted}`)
    }
    const match = vm.evalCode("typeof match === 'function' ? match : undefined")
    if (match.error || vm.typeof(match.value) !== 'function')
      throw new NoFilter(`the text of ${name} defines no function match; ${wanted}`)
    this.match = match.value
  }

  private body(): Uint8Array {
    if (this.current === undefined) throw new Error('there is no message outside of match')
    return this.current.body()
  }

  /** Sets the deadline, and makes errors of the host (its stack overflowed) failures of the filter. */
  private guarded<T>(call: () => T): T {
    this.deadline = this.clock.monotonic() + this.limits.callTimeoutMs
    try {
      return call()
    } catch (error) {
      if (error instanceof FilterFailed) throw error
      const reason = `the sandbox failed, as when filterMemoryBytes=${this.limits.memoryBytes} are used up: ${String(error)}`
      throw new FilterFailed(reason, { atLimit: true })
    } finally {
      this.deadline = Number.POSITIVE_INFINITY
    }
  }

  private failure(error: QuickJSHandle): FilterFailed {
    const dumped: unknown = this.vm.dump(error)
    error.dispose()
    const { name, message, stack } = (typeof dumped === 'object' && dumped !== null ? dumped : {}) as {
      name?: string
      message?: string
      stack?: string
    }
    if (name === 'InternalError' && message === 'interrupted') {
      return new FilterFailed(`it ran longer than filterCallTimeoutMs=${this.limits.callTimeoutMs}`, { atLimit: true })
    }
    if (name === 'InternalError' && message === 'out of memory') {
      return new FilterFailed(`it took more than filterMemoryBytes=${this.limits.memoryBytes}`, { atLimit: true })
    }
    // QuickJS throws null where there is no memory left for an error.
    if (dumped === null) {
      const reason = `it threw null, as it does when filterMemoryBytes=${this.limits.memoryBytes} are used up`
      return new FilterFailed(reason, { atLimit: true })
    }
    const place = stack?.trim().split('\n')[0]?.trim()
    const text = name === undefined ? `it threw ${JSON.stringify(dumped)}` : `${name}: ${message ?? ''}`
    const reason = text.length > maxReasonLength ? `${text.slice(0, maxReasonLength)}…` : text
    return new FilterFailed(place ? `${reason} (${place.slice(0, maxReasonLength)})` : reason, { atLimit: false })
  }
}
