import { ClientError } from '../error.ts'
import { isSchema } from '../option-rules.ts'
import type { BodyCodec } from './message.ts'

/** Standard Schema version 1, as zod, valibot, arktype and others implement it; only what is used here. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** The type that a Standard Schema yields. */
export type OutputOf<S> = S extends StandardSchema<infer _I, infer O> ? O : never

/** The type that it takes. */
type InputOf<S> = S extends StandardSchema<infer I, infer _O> ? I : never

/**
 * What was checked on the way out is checked again on the way in, so that a schema has to take what it yields: dates, defaults and
 * brands do, a text that becomes a number does not. A type that nothing is of says so to the compiler.
 */
type TakesWhatItYields<S> =
  OutputOf<S> extends InputOf<S> ? unknown : { readonly 'the schema does not take what it yields': never }

/** JSON bodies, unchecked. */
export function jsonCodec<T>(): BodyCodec<T>
/**
 * JSON bodies, checked by a schema on the way out and in; what the schema makes of a value is what goes out. Errors: ClientError
 * MESSAGE with the schema's findings.
 */
export function jsonCodec<S extends StandardSchema>(schema: S & TakesWhatItYields<S>): BodyCodec<OutputOf<S>>
export function jsonCodec(schema?: StandardSchema): BodyCodec<unknown> {
  if (schema !== undefined && !isSchema(schema)) {
    const why =
      'jsonCodec takes a Standard Schema, as of zod (from 3.24 on), valibot (1.0) or arktype (2.0), or nothing'
    throw new ClientError('ARGUMENT', why)
  }
  return {
    encode: async value => textOf(schema === undefined ? value : await checked(schema, value)),
    decode: async body => {
      const value = parse(body)
      return schema === undefined ? value : checked(schema, value)
    },
  }
}

function textOf(value: unknown): Uint8Array {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new ClientError('MESSAGE', `${typeof value} cannot be written as JSON`)
  return Buffer.from(text)
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch (error) {
    throw new ClientError('MESSAGE', 'the body is not JSON', { cause: error })
  }
}

async function checked(schema: StandardSchema, value: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const findings = result.issues.map(({ path, message }) => {
    const place = path === undefined || path.length === 0 ? '' : `${path.map(pathPart).join('.')}: `
    return place + message
  })
  throw new ClientError('MESSAGE', `the body does not fit its schema: ${findings.join('; ')}`)
}

const pathPart = (part: unknown): string =>
  String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part)
