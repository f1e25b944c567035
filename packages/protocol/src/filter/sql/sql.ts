import { compileTruth } from './compile.ts'
import { parseSql } from './parser.ts'
import { LookedUp, type PropertyLookup, type PropertySource } from './source.ts'

/** A SQL92 expression of a subscription, ready to be asked about messages. */
export interface SqlFilter {
  readonly text: string
  /** True, false, or null for unknown: only true delivers. A comparison that fails (see `judge`) is null, too. */
  readonly evaluate: (properties: PropertyLookup | PropertySource) => boolean | null
  /** The same, but 'failed' where Java's evaluator throws, say for `a > 5` when a is no whole number. */
  readonly judge: (properties: PropertyLookup | PropertySource) => boolean | null | 'failed'
}

/**
 * Compiles an expression in RocketMQ's SQL92, with the answers of Java's evaluator, 5.x's operators included. Throws
 * SqlSyntaxError on what Java refuses, and on text behind the end of the expression.
 */
export function compileSql(text: string): SqlFilter {
  const run = compileTruth(parseSql(text))
  return {
    text,
    evaluate: properties => run(sourceOf(properties)) ?? null,
    judge: properties => {
      const value = run(sourceOf(properties))
      return value === undefined ? 'failed' : value
    },
  }
}

function sourceOf(properties: PropertyLookup | PropertySource): PropertySource {
  return typeof properties === 'function' ? new LookedUp(properties) : properties
}
