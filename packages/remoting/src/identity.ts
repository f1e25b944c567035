import { type Dialect, dialectOf, HeaderForm } from '@skua-mq/protocol'

/** As what one side of a connection speaks. */
export interface Identity {
  /** Language number and version that its commands carry. */
  readonly language: number
  readonly version: number
  /** Form of all its replies; without it a reply takes that of its request. */
  readonly replyForm?: HeaderForm | undefined
}

/** What of a dialect is seen in every answer. */
export type SpokenBy = Pick<Dialect, 'version' | 'replyTakesFormOfRequest'>

/** As what a server speaks in a dialect; default: as Java's 4.9.8 (architecture: two dialects). */
export const serverIdentity = ({ version, replyTakesFormOfRequest }: SpokenBy = dialectOf()): Identity => ({
  language: 0,
  version,
  replyForm: replyTakesFormOfRequest ? undefined : HeaderForm.json,
})
