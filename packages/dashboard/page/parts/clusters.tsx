import type { overview } from '../../src/endpoints/overview.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

/** Names of all clusters; none before they are known. */
export function useClusters(): readonly string[] {
  const { data } = useAsk<AnswerOf<typeof overview>>('overview')
  return [...new Set((data?.brokers ?? []).map(({ clusterName }) => clusterName))]
}

/** Which cluster; without a label of its own where it stands in a field. */
export const ClusterSelect = ({
  clusters,
  value,
  onPick,
  label,
}: {
  clusters: readonly string[]
  value: string
  onPick: (clusterName: string) => void
  label?: string
}) => (
  <select aria-label={label} value={value} onChange={event => onPick(event.currentTarget.value)}>
    {clusters.map(name => (
      <option key={name}>{name}</option>
    ))}
  </select>
)
