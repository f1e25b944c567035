import { useEffect, useRef, useState } from 'preact/hooks'
import { type ApiError, ask, type Params } from './api.ts'

/** An answer, the last one while a newer one is asked for, and what went wrong. */
export interface Asked<T> {
  readonly data: T | undefined
  readonly error: ApiError | undefined
  readonly isLoading: boolean
  /** Asks again now. */
  readonly again: () => void
}

/** Whether the tab is seen: one in the background asks for nothing. */
export const isSeen = (): boolean => document.visibilityState !== 'hidden'

export interface AskHow {
  /** Asks again so often, while the tab is seen. Default: once. */
  readonly everyMs?: number
  /** False: not now. */
  readonly when?: boolean
}

/** Asks while the component is there. What comes late for other parameters is dropped. */
export function useAsk<T>(name: string, params: Params = {}, { everyMs, when = true }: AskHow = {}): Asked<T> {
  const key = JSON.stringify([name, params])
  const [state, set] = useState<{ key: string; data?: T; error?: ApiError; isLoading: boolean }>({
    key,
    isLoading: true,
  })
  const [round, setRound] = useState(0)
  useEffect(() => {
    if (!when) return
    const gone = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = () => {
      if (everyMs !== undefined && !gone.signal.aborted) timer = setTimeout(run, everyMs)
    }
    const run = async () => {
      // The next look is when somebody looks.
      if (!isSeen()) return
      try {
        const data = await ask<T>(name, params, gone.signal)
        if (!gone.signal.aborted) set({ key, data, isLoading: false })
      } catch (error) {
        if (gone.signal.aborted) return
        set(before => ({ ...before, key, error: error as ApiError, isLoading: false }))
      }
      next()
    }
    const seen = () => {
      if (!isSeen()) return
      clearTimeout(timer)
      void run()
    }
    void run()
    if (everyMs !== undefined) document.addEventListener('visibilitychange', seen)
    return () => {
      gone.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [key, everyMs, when, round])
  const current = state.key === key ? state : { key, isLoading: true }
  return {
    data: 'data' in current ? current.data : undefined,
    error: 'error' in current ? current.error : undefined,
    isLoading: when && current.isLoading,
    again: () => setRound(round + 1),
  }
}

/** A change that somebody makes: whether it is under way, and what came of it. */
export function useAct() {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const there = useRef(true)
  useEffect(
    () => () => {
      there.current = false
    },
    [],
  )
  const run = async (act: () => Promise<void>): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      await act()
    } catch (problem) {
      if (there.current) setError(problem as ApiError)
    } finally {
      if (there.current) setBusy(false)
    }
  }
  return { isBusy, error, run }
}

/** Rows that were asked for, by name: they stay as they were until they are asked for again. */
export function useKnown<R>(rows: readonly R[] | undefined, nameOf: (row: R) => string): ReadonlyMap<string, R> {
  const [known] = useState(() => new Map<string, R>())
  for (const row of rows ?? []) known.set(nameOf(row), row)
  return known
}

/** Names of the rows that stay in sight for a moment, at most `max`: a list that is scrolled asks for none and draws nothing again. */
export function useSeen<R>(nameOf: (row: R) => string, max: number, ms = 200) {
  const [names, set] = useState<readonly string[]>([])
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const seen = (rows: readonly R[]) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => set(rows.slice(0, max).map(nameOf)), ms)
  }
  return { names, seen }
}
