import { ownHeader } from './access/origin.ts'
import type { AnyEndpoint } from './endpoint.ts'
import { endpoints } from './endpoints.ts'
import { clusterParam } from './http/call.ts'
import { lineType } from './http/file.ts'
import type { JsonSchema, Members } from './schema.ts'

const problem = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        code: { type: 'string' },
        message: { type: 'string', description: 'the cause, and what to try' },
        address: { type: 'string' },
        request: { type: 'string' },
        responseCode: { type: 'integer' },
      },
      required: ['code', 'message'],
    },
  },
  required: ['error'],
}

/** The document of the table of endpoints. */
export function openApi(): JsonSchema {
  return {
    openapi: '3.1.0',
    info: { title: 'Skua dashboard', version: '1', description: 'What the pages of the dashboard ask.' },
    paths: Object.fromEntries(
      endpoints.map(one => [`/api/${one.name}`, { [one.method.toLowerCase()]: operation(one) }]),
    ),
    components: { schemas: { Problem: problem } },
  }
}

function operation(one: AnyEndpoint): JsonSchema {
  const params: Members = { ...(one.params as Members), cluster: clusterParam }
  const { type, schema, description } = answerOf(one)
  return {
    operationId: one.name.replaceAll('/', '_'),
    summary: one.help,
    'x-role': one.role,
    ...(one.method === 'GET' ? { parameters: queryParameters(params) } : bodyOf(params)),
    responses: {
      200: {
        description,
        content: { [type]: { schema } },
      },
      default: {
        description: 'not done',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function answerOf(one: AnyEndpoint): { type: string; schema: JsonSchema; description: string } {
  if ('stream' in one)
    return {
      type: 'text/event-stream',
      schema: one.event.json,
      description: 'events "data", then "done" or "problem"',
    }
  if ('lines' in one)
    return {
      type: lineType,
      schema: { anyOf: [one.line.json, one.end.json] },
      description: 'a line for each, and a last line that tells the end',
    }
  return { type: 'application/json', schema: one.answer.json, description: 'done' }
}

const queryParameters = (params: Members): JsonSchema[] =>
  Object.entries(params).map(([name, { json, isOptional }]) => ({
    name,
    in: 'query',
    required: !isOptional,
    schema: json,
    ...(json['type'] === 'array' ? { style: 'form', explode: false } : {}),
  }))

const bodyOf = (params: Members): JsonSchema => ({
  parameters: [{ name: ownHeader, in: 'header', required: true, schema: { const: '1' } }],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: Object.fromEntries(Object.entries(params).map(([name, { json }]) => [name, json])),
          required: Object.keys(params).filter(name => !params[name]!.isOptional),
          additionalProperties: false,
        },
      },
    },
  },
})
