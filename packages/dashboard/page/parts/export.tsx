import { useRef, useState } from 'preact/hooks'
import { events } from '../api.ts'
import { t } from '../text/text.ts'
import { useAct } from '../use.ts'
import { Problem } from './basic.tsx'

/** Messages of a topic into a file of JSON lines. */
export const Export = ({ topic }: { topic: string }) => {
  const [count, setCount] = useState<number | undefined>(undefined)
  const running = useRef<AbortController | undefined>(undefined)
  const { error, run } = useAct()
  const save = () =>
    run(async () => {
      const own = new AbortController()
      running.current = own
      const lines: string[] = []
      setCount(0)
      try {
        for await (const message of events('messages/export', { topic, limit: 10_000 }, { signal: own.signal })) {
          lines.push(`${JSON.stringify(message)}\n`)
          if (lines.length % 100 === 0) setCount(lines.length)
        }
        const url = URL.createObjectURL(new Blob(lines, { type: 'application/x-ndjson' }))
        const link = Object.assign(document.createElement('a'), { href: url, download: `${topic}.jsonl` })
        link.click()
        setTimeout(() => URL.revokeObjectURL(url), 10_000)
      } catch (problem) {
        if ((problem as Error).name !== 'AbortError') throw problem
      } finally {
        setCount(undefined)
      }
    })
  return (
    <>
      <button type="button" onClick={count === undefined ? save : () => running.current?.abort()}>
        {count === undefined ? t('download') : t('stopAt', { count })}
      </button>
      <Problem error={error} />
    </>
  )
}
