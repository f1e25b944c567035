import { textBody } from '../bodies/shape.ts'
import { int, long, text } from '../field.ts'
import { defineRequest } from '../request.ts'

/** Every 10 s; the broker forgets a filter server after 30 s of silence. */
export const registerFilterServer = defineRequest({
  name: 'REGISTER_FILTER_SERVER',
  code: 301,
  header: { filterServerAddr: text },
  reply: { brokerName: text, brokerId: long },
  direction: 'filter server to broker',
  section: '10.1',
})

/** Body: the filter's source text; classCRC is its CRC-32. */
export const registerMessageFilterClass = defineRequest({
  name: 'REGISTER_MESSAGE_FILTER_CLASS',
  code: 302,
  header: { consumerGroup: text, topic: text, className: text, classCRC: int },
  body: textBody,
  direction: 'client to filter server',
  section: '10.1',
})
