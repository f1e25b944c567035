import assert from 'node:assert/strict'

/** Waits for what clients do in their own time: a heartbeat that is not sent at once comes 30 s later. */
export async function until(condition: () => Promise<boolean>, what: string, timeoutMs = 45_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(`not within ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
