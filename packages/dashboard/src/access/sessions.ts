import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '@skua-mq/runtime'

/** Sessions that live at a time; the one that was used least lately ends first. */
export const maxSessions = 1_000
/** and of one account, so that nobody ends the sessions of others by signing in. */
export const maxSessionsOfName = 50
/** A session that nobody uses for so long is over, */
const idleMs = 8 * 3_600_000
/** and every one after a week. */
const longestMs = 7 * 24 * 3_600_000

/** Whose session it is, and by which password it began. */
export interface Begun {
  readonly name: string
  readonly proof: string
}

interface Session extends Begun {
  readonly begunAt: number
  usedAt: number
}

/** Who has said a password, by a secret of the browser's cookie. Only its hash is kept. */
export class Sessions {
  private readonly clock: Clock
  private readonly sessions = new Map<string, Session>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** The secret of a new session. */
  begin(name: string, proof: string): string {
    const secret = randomBytes(32).toString('base64url')
    const now = this.clock.monotonic()
    this.sessions.set(keyOf(secret), { name, proof, begunAt: now, usedAt: now })
    const own = [...this.sessions].filter(([, session]) => session.name === name)
    if (own.length > maxSessionsOfName) this.sessions.delete(own[0]![0])
    if (this.sessions.size > maxSessions) this.sessions.delete(this.sessions.keys().next().value!)
    return secret
  }

  /** Whose session it is. */
  find(secret: string): Begun | undefined {
    const key = keyOf(secret)
    const session = this.sessions.get(key)
    if (session === undefined) return undefined
    const now = this.clock.monotonic()
    this.sessions.delete(key)
    if (now - session.usedAt > idleMs || now - session.begunAt > longestMs) return undefined
    session.usedAt = now
    // The last one in the map is the one that was used last.
    this.sessions.set(key, session)
    return session
  }

  end(secret: string): void {
    this.sessions.delete(keyOf(secret))
  }
}

const keyOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
