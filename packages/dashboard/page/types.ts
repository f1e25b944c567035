import type { ValueOf } from '../src/schema.ts'

/** The answer of an endpoint, by the type of its row in the table. */
export type AnswerOf<E extends { readonly answer: unknown }> = ValueOf<E['answer']>
export type EventOf<E extends { readonly event: unknown }> = ValueOf<E['event']>
