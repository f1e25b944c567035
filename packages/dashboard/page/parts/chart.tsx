import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { countText } from '../format.ts'
import { t } from '../text/text.ts'

export interface Series {
  readonly label: string
  /** A variable of CSS. */
  readonly color: string
  readonly values: readonly (number | null)[]
}

const colorOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** Between ticks that are nearer to each other than they can be told apart, the first one is told. */
const once = (texts: readonly string[]): string[] => texts.map((told, i) => (told === texts[i - 1] ? '' : told))

/** Lines over time; drawn anew when they change, their box or the theme. */
export const Chart = ({
  times,
  series,
  height = 140,
  text = countText,
  label,
}: {
  /** ms since 1970. */
  times: readonly number[]
  series: readonly Series[]
  height?: number
  text?: (value: number | null) => string
  label: string
}) => {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const box = ref.current
    if (box === null) return
    const axis = { stroke: colorOf('--quiet'), grid: { stroke: colorOf('--line'), width: 1 }, ticks: { show: false } }
    const plot = new uPlot(
      {
        width: box.clientWidth,
        height,
        legend: { show: series.length > 1 },
        cursor: { y: false },
        padding: [8, 18, 0, 0],
        scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
        axes: [
          { ...axis, size: 24, values: '{HH}:{mm}', incrs: [60, 300, 600, 1_800] },
          { ...axis, size: 56, values: (_plot, ticks) => once(ticks.map(text)) },
        ],
        series: [
          { label: t('time'), value: '{HH}:{mm}:{ss}' },
          ...series.map(({ label: name, color }) => ({
            ...{ label: name, stroke: colorOf(color), width: 1.5, points: { show: false } },
            value: (_plot: uPlot, value: number | null) => text(value),
          })),
        ],
      },
      [times.map(ms => ms / 1000), ...series.map(({ values }) => [...values])] as uPlot.AlignedData,
      box,
    )
    const sized = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height }))
    sized.observe(box)
    return () => {
      sized.disconnect()
      plot.destroy()
    }
  }, [times, series, height, text])
  return <div class="chart" ref={ref} role="img" aria-label={label} />
}
