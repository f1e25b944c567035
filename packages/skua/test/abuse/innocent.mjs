// A client that means no harm, in a thread of its own, so that what the hostile peers cost this process does not count.
// Sends a message and looks for it again, over and over; tells how many it sent and how long the longest answer took.
import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

const { port } = workerData
const body = Buffer.alloc(1000, 'x')
const state = { answered: 0, slowestMs: 0, failed: '', waitingSinceMs: 0 }
let socket
let opaque = 0
let received = Buffer.alloc(0)
let resolveReply

function frame(code, extFields, content = Buffer.alloc(0)) {
  const header = Buffer.from(
    JSON.stringify({ code, extFields, flag: 0, language: 'JAVA', opaque: ++opaque, version: 409 }),
  )
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + header.length + content.length, 0)
  head.writeInt32BE(header.length, 4)
  return Buffer.concat([head, header, content])
}

function onData(chunk) {
  received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
  while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
    const end = 4 + received.readInt32BE(0)
    const headerEnd = 8 + (received.readInt32BE(4) & 0xffffff)
    const header = JSON.parse(received.toString('utf8', 8, headerEnd))
    received = received.subarray(end)
    resolveReply?.(header)
  }
}

async function ask(code, extFields, content) {
  const begun = performance.now()
  state.waitingSinceMs = begun
  const reply = new Promise(resolve => {
    resolveReply = resolve
  })
  socket.write(frame(code, extFields, content))
  const header = await reply
  state.waitingSinceMs = 0
  state.slowestMs = Math.max(state.slowestMs, performance.now() - begun)
  return header
}

const send = {
  a: 'innocent',
  b: 'Innocent',
  c: 'TBW102',
  d: '4',
  e: '0',
  f: '0',
  g: '1',
  h: '0',
  k: 'false',
  m: 'false',
}
const pull = offset => ({
  ...{
    consumerGroup: 'innocent',
    topic: 'Innocent',
    queueId: '0',
    queueOffset: offset,
    maxMsgNums: '32',
    sysFlag: '4',
  },
  ...{ commitOffset: '0', suspendTimeoutMillis: '15000', subVersion: '0', subscription: '*' },
})

async function run() {
  for (;;) {
    const sent = await ask(310, send, body)
    if (sent.code !== 0) throw new Error(`a send was answered ${sent.code}: ${sent.remark}`)
    const found = await ask(11, pull(sent.extFields.queueOffset))
    if (found.code !== 0) throw new Error(`a pull was answered ${found.code}: ${found.remark}`)
    state.answered += 2
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

socket = connect({ host: '127.0.0.1', port, noDelay: true }, () =>
  run().catch(error => {
    state.failed = error.message
  }),
)
socket.on('data', onData)
socket.on('error', error => {
  state.failed = error.message
})
socket.on('close', () => {
  state.failed ||= 'the connection was closed'
})

parentPort.on('message', what => {
  // What has not been answered yet has waited, too.
  const waitedMs = state.waitingSinceMs === 0 ? 0 : performance.now() - state.waitingSinceMs
  parentPort.postMessage({ ...state, slowestMs: Math.max(state.slowestMs, waitedMs) })
  if (what === 'reset') state.slowestMs = 0
})
