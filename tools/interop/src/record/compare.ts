import { type Command, decodeRecords, parseJavaJson, requestByCode } from '@skua-mq/protocol'

const pulls = new Set([11, 361])

/**
 * What differs in meaning between a recorded reply and ours, a line each. Values of header fields, ids, hosts, times and
 * offsets are nobody's promise; codes, names of fields, shapes of bodies and the messages themselves are.
 */
export function compareReplies(request: Command, recorded: Command, ours: Command): string[] {
  if (recorded.code !== ours.code) return [`code ${ours.code} (${ours.remark ?? ''}) instead of ${recorded.code}`]
  const found = names('header field', Object.keys(recorded.extFields), Object.keys(ours.extFields))
  if (recorded.form !== ours.form) found.push(`header form ${ours.form} instead of ${recorded.form}`)
  if ((recorded.body?.length ?? 0) === 0 || (ours.body?.length ?? 0) === 0) {
    if ((recorded.body?.length ?? 0) !== (ours.body?.length ?? 0)) {
      found.push(`body of ${ours.body?.length ?? 0} bytes instead of ${recorded.body?.length ?? 0}`)
    }
    return found
  }
  const compare = pulls.has(request.code) ? compareMessages : compareShapes
  return [...found, ...compare(recorded.body as Uint8Array, ours.body as Uint8Array)]
}

function names(what: string, recorded: readonly string[], ours: readonly string[]): string[] {
  return [
    ...recorded.filter(name => !ours.includes(name)).map(name => `${what} ${name} is missing`),
    ...ours.filter(name => !recorded.includes(name)).map(name => `${what} ${name} is new`),
  ]
}

function compareMessages(recorded: Uint8Array, ours: Uint8Array): string[] {
  const [theirMessages, ourMessages] = [recorded, ours].map(bytes => [...decodeRecords(bytes)])
  if (theirMessages?.length !== ourMessages?.length) {
    return [`${ourMessages?.length} messages instead of ${theirMessages?.length}`]
  }
  return (theirMessages ?? []).flatMap((theirs, index) => {
    const mine = ourMessages?.[index]
    if (mine === undefined) return []
    const found = names('message property', [...theirs.properties.keys()], [...mine.properties.keys()])
    for (const key of ['topic', 'flag', 'sysFlag', 'queueId', 'queueOffset', 'reconsumeTimes', 'bodyCrc'] as const) {
      if (theirs[key] !== mine[key]) found.push(`message ${key} ${mine[key]} instead of ${theirs[key]}`)
    }
    return found
  })
}

const compareShapes = (recorded: Uint8Array, ours: Uint8Array): string[] =>
  shapes('body', parseJavaJson(recorded), parseJavaJson(ours))

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : value instanceof Map ? 'map' : typeof value

function shapes(path: string, recorded: unknown, ours: unknown): string[] {
  const kind = kindOf(recorded)
  if (kind !== kindOf(ours)) return [`${path} is ${kindOf(ours)} instead of ${kind}`]
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    if (recorded.length !== ours.length) return [`${path} has ${ours.length} elements instead of ${recorded.length}`]
    return recorded.flatMap((element, index) => shapes(`${path}[${index}]`, element, ours[index]))
  }
  if (kind !== 'object') return []
  const theirs = recorded as Record<string, unknown>
  const mine = ours as Record<string, unknown>
  const shared = Object.keys(theirs).filter(key => key in mine)
  return [
    ...names(`${path} member`, Object.keys(theirs), Object.keys(mine)),
    ...shared.flatMap(key => shapes(`${path}.${key}`, theirs[key], mine[key])),
  ]
}

/** Java's name of a request, for messages. */
export const requestName = (code: number): string => requestByCode(code)?.name ?? String(code)
