import { deadLetterPrefix, isSystemTopic, retryPrefix } from '@skua-mq/protocol'

const isSystem = (name: string): boolean =>
  isSystemTopic(name) || name === 'CHECKPOINT_TOPIC' || name.startsWith('CID_RMQ_SYS_')

/** `%RETRY%g` to [`%RETRY%`, `g`]; other names have an empty prefix. */
function splitPrefix(name: string): [prefix: string, rest: string] {
  for (const prefix of [retryPrefix, deadLetterPrefix]) {
    if (name.startsWith(prefix)) return [prefix, name.slice(prefix.length)]
  }
  return ['', name]
}

/** The name on the wire: `ns%name`, `%RETRY%ns%name` (client.md 12). An empty namespace changes nothing; wrapping twice wraps once. */
export function wrapName(namespace: string, name: string): string {
  // What is no text is told where names are checked.
  if (namespace === '' || typeof name !== 'string' || name.trim() === '' || isSystem(name)) return name
  const [prefix, rest] = splitPrefix(name)
  if (isSystem(rest) || rest.startsWith(`${namespace}%`)) return name
  return `${prefix}${namespace}%${rest}`
}

/** The name as the application knows it. */
export function unwrapName(namespace: string, name: string): string {
  if (namespace === '') return name
  const [prefix, rest] = splitPrefix(name)
  return rest.startsWith(`${namespace}%`) ? prefix + rest.slice(namespace.length + 1) : name
}

/** Aliyun's name server addresses carry the namespace in their host name; undefined in all others. */
export function namespaceOfAddress(address: string): string | undefined {
  const host = address.replace(/^https?:\/\//, '')
  return /^(MQ_INST_\w+_\w+)\./.exec(host)?.[1]
}

export const retryTopic = (group: string): string => retryPrefix + group
export const dlqTopic = (group: string): string => deadLetterPrefix + group
export const isRetryTopic = (topic: string): boolean => topic.startsWith(retryPrefix)
export const groupOfRetryTopic = (topic: string): string => topic.slice(retryPrefix.length)
