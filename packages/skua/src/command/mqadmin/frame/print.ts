/** A line on standard output; waits where nobody takes what was printed. */
export function print(text: string): Promise<void> | undefined {
  if (process.stdout.write(`${text}\n`)) return undefined
  return new Promise(resolve => process.stdout.once('drain', resolve))
}
