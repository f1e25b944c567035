import { brokersTopics } from '@skua-mq/protocol'
import { ClientError } from '../error.ts'

const legal = /^[%|a-zA-Z0-9_-]+$/
const maxTopicLength = 127
const maxGroupLength = 255

function checkName(kind: 'topic' | 'group', name: string, max: number): void {
  if (name !== undefined && name !== null && typeof name !== 'string') {
    const given = Array.isArray(name) ? 'a list was given: name one after the other' : `${typeof name} was given`
    throw new ClientError('ARGUMENT', `a ${kind} is a text: ${given}`)
  }
  if (name?.trim() === undefined || name.trim() === '') throw new ClientError('ARGUMENT', `a ${kind} needs a name`)
  if (name.length > max) {
    throw new ClientError('ARGUMENT', `the ${kind} name has ${name.length} characters, and ${max} are allowed`)
  }
  if (!legal.test(name)) {
    throw new ClientError('ARGUMENT', `"${name}" is no ${kind} name: letters, digits, and % | _ - are allowed`)
  }
}

/** Throws ClientError ARGUMENT (remoting.md 9.4). */
export function checkTopic(topic: string): void {
  checkName('topic', topic, topic?.startsWith?.('%') ? maxGroupLength : maxTopicLength)
}

/** Also refuses topics that only brokers may write. */
export function checkSendTopic(topic: string): void {
  checkTopic(topic)
  if (brokersTopics.has(topic)) throw new ClientError('ARGUMENT', `only brokers write to ${topic}`)
}

/** `reserved` is Java's default name, which applications may not use. */
export function checkGroup(group: string, reserved: string): void {
  checkName('group', group, maxGroupLength)
  if (group === reserved) throw new ClientError('ARGUMENT', `${reserved} is reserved: choose a group name of your own`)
}
