import type { CloudEvent } from '../../src/index.ts'

const plain = { source: '/shop', type: 'order.paid' }

/** Events that ours write and Java reads. */
export const events: readonly CloudEvent[] = [
  { ...plain, id: 'minimal' },
  { ...plain, id: 'json', data: { id: 7, name: 'Öl' } },
  { ...plain, id: 'json text', data: 'just text' },
  { ...plain, id: 'null', data: null },
  { ...plain, id: 'text', datacontenttype: 'text/plain', data: 'grüße' },
  { ...plain, id: 'bytes', datacontenttype: 'application/octet-stream', data: Uint8Array.of(0, 1, 255) },
  { ...plain, id: 'untyped', data: Uint8Array.of(5, 6) },
  {
    ...plain,
    id: 'all',
    subject: 'orders/7',
    time: '2030-01-02T03:04:05.678Z',
    dataschema: 'https://schemas/order',
    datacontenttype: 'application/json; charset=utf-8',
    tenant: 'north',
    attempt: 2,
    urgent: true,
    data: [1, 2],
  },
]
export const modes = ['binary', 'structured'] as const
