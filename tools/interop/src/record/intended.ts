import type { DialectName } from '@skua-mq/protocol'

/** Answers of ours that differ from the recorded ones on purpose. Nothing else may differ. */
export interface IntendedDifference {
  /** Default: both. */
  readonly dialect?: DialectName
  readonly recording: RegExp
  /** Request code. */
  readonly code: number
  /** The whole of what `compareReplies` says. */
  readonly what: RegExp
  readonly reason: string
  /** False where it depends on who is faster. */
  readonly always: boolean
}

/** Recorded against 5.3.3, for code 361; with dialect 4.9 every answer has the form of 4.9. */
const newer = /^java-5\.3\.3-lite-pull/
const olderForm = (code: number, what: RegExp, reason: string): IntendedDifference => ({
  ...{ recording: newer, dialect: '4.9', code, what, reason },
  always: true,
})

export const intendedDifferences: readonly IntendedDifference[] = [
  {
    recording: /^java-5\.3\.3-(pull|push|send)/,
    code: 105,
    what: /^body\.brokerDatas\[0\] member enableActingMaster is new$/,
    reason: 'clients of 5.x are told it: the Rust client does not read a route without it',
    always: true,
  },
  olderForm(310, /^header field transactionId is missing$/, '5.x repeats the unique id here; 4.9 leaves it out'),
  olderForm(34, /^header field IS_SUPPORT_HEART_BEAT_V2 is missing$/, 'short heartbeats are a wish of 5.x brokers'),
  olderForm(34, /^header field IS_SUB_CHANGE is missing$/, 'belongs to short heartbeats'),
  olderForm(
    361,
    /^header field (topicSysFlag|groupSysFlag) is missing$/,
    'unit flags of 5.x; clients read absence as 0',
  ),
  olderForm(361, /^message property MSG_REGION is missing$/, '4.9 tells the region in the answer to the send only'),
  olderForm(361, /^message property TRACE_ON is missing$/, '4.9 tells of tracing in the answer to the send only'),
  olderForm(361, /^message property WAIT is missing$/, '4.9 does not store the wish to wait'),
  {
    recording: /./,
    code: 105,
    what: /^code 17 .* instead of 0$/,
    reason:
      'the send that creates a topic is answered before the name servers know it; they do some milliseconds later',
    always: false,
  },
  {
    recording: /./,
    code: 105,
    what: /^code 0 .* instead of 17$/,
    reason: 'a topic that is being created may be known sooner',
    always: false,
  },
  {
    recording: /^java-4\.9\.8-at-5\.3\.3-push/,
    dialect: '5.3',
    code: 14,
    what: /^code 0 .* instead of 22$/,
    reason:
      'an empty queue, which 5.3.3 says it knows no offset of: the consumer would ask for the end then, and skip what comes meanwhile (docs/differences.md)',
    always: true,
  },
  {
    recording: /^java-4\.9\.8-push/,
    code: 11,
    what: /^no reply instead of code 25$/,
    reason: 'a pull by tags that is ahead of its heartbeat is held like any other (docs/differences.md)',
    always: true,
  },
]
