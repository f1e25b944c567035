/** Rejects as soon as nobody wants to know any more. */
export function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const over = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('another master was told of')), { once: true })
  })
  return Promise.race([work, over])
}
