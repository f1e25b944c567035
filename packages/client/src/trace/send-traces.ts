import { templateTopic } from '@skua-mq/protocol'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { draftOf } from '../message/outgoing.ts'
import { PublishRoutes, type TopicTemplate } from '../produce/publish-routes.ts'
import { Sender } from '../produce/send.ts'
import { TraceDispatcher } from './dispatcher.ts'

const sendTimeoutMs = 5_000
const template: TopicTemplate = { createTopicKey: templateTopic, defaultTopicQueueNums: 1 }
const maxMessageBytes = 4_194_304

/** Traces of one client, sent by an inner producer which is not traced itself. The topic is a system topic: no namespace wraps it. */
export function traceSender(
  instance: ClientInstance,
  as: { topic: string; group: string; kind: 'PRODUCE' | 'CONSUME'; emit: EmitEvent },
): TraceDispatcher {
  const sender = new Sender(instance, { template, namespace: '' })
  const routes = new PublishRoutes(instance.routes, template)
  const group = `_INNER_TRACE_PRODUCER-${as.group}-${as.kind}-1`
  const rules = { namespace: '', maxMessageSize: maxMessageBytes, newId: () => instance.newId() }
  return new TraceDispatcher({
    clock: instance.clock,
    topic: as.topic,
    emit: as.emit,
    send: async ({ topic, keys, body }) => {
      const draft = draftOf({ topic, keys: keys.split(' '), body }, Buffer.from(body), rules)
      const { publish } = await routes.find(topic)
      const queue = publish[instance.runtime.random.int(publish.length)]!
      return sender.send({ queue, draft, group, timeoutMs: sendTimeoutMs })
    },
  })
}
