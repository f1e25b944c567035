/** An expression that is not RocketMQ's SQL92. The message names place and reason; the hint says what to write instead. */
export class SqlSyntaxError extends Error {
  readonly code = 'SQL_SYNTAX'
  /** Where in the text, in UTF-16 units from 0; its length for an end that comes too early. */
  readonly position: number
  /** What to do about it; '' where nothing more can be said than the message does. */
  readonly hint: string

  constructor(reason: string, at: { position: number; hint?: string }) {
    const hint = at.hint ?? ''
    super(`${reason} at position ${at.position}${hint === '' ? '' : `: ${hint}`}`)
    this.position = at.position
    this.hint = hint
  }
}
