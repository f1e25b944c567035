/** Of the answer to a request. */
export interface JsonAnswer {
  /** HTTP's. */
  readonly status: number
  /** Undefined where it is no JSON. */
  readonly json: unknown
}

/** Longer answers are no answers. */
export const maxJsonAnswerBytes = 1024 * 1024

/** Posts JSON by fetch. Throws where no answer came whole within `timeoutMs`, saying to whom it was sent. */
export async function postJson(
  url: string,
  body: unknown,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<JsonAnswer> {
  const { origin, pathname } = new URL(url)
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    })
    return { status: answer.status, json: parsed(await textOf(answer)) }
  } catch (error) {
    throw new Error(`${origin}${pathname}: ${reasonOf(error, timeoutMs)}`)
  }
}

async function textOf(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of answer.body ?? []) {
    bytes += piece.length
    if (bytes > maxJsonAnswerBytes) throw new Error(`the answer has more than ${maxJsonAnswerBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** fetch says `fetch failed`, and why in its cause. */
function reasonOf(error: unknown, timeoutMs: number): string {
  const { name, message, cause } = error as Error
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  return cause instanceof Error ? cause.message || String((cause as { code?: string }).code) : message
}
