import { useState } from 'preact/hooks'
import { change } from '../api.ts'
import { groupCommand } from '../commands.ts'
import { go } from '../route.ts'
import { t } from '../text/text.ts'
import { useAct } from '../use.ts'
import { Command, Dialog, Field, Problem } from './basic.tsx'
import { ClusterSelect, useClusters } from './clusters.tsx'

/** A new group, or other settings for one that is there. */
export const GroupForm = ({
  group: given,
  settings = {},
  onClose,
  onDone,
}: {
  group?: string
  settings?: Readonly<Record<string, string>>
  onClose: () => void
  onDone: () => void
}) => {
  const clusters = useClusters()
  const [group, setGroup] = useState(given ?? '')
  const [picked, setCluster] = useState<string | undefined>(undefined)
  const clusterName = picked ?? clusters[0] ?? ''
  const [isEnabled, setEnabled] = useState(settings['consumeEnable'] !== 'false')
  const [isBroadcast, setBroadcast] = useState(settings['consumeBroadcastEnable'] !== 'false')
  const [retries, setRetries] = useState(settings['retryMaxTimes'] ?? '16')
  const [queues, setQueues] = useState(settings['retryQueueNums'] ?? '1')
  const { isBusy, error, run } = useAct()
  const submit = (event: Event) => {
    event.preventDefault()
    void run(async () => {
      await change('group/put', {
        ...{ group, clusterName, consumeEnable: isEnabled, consumeBroadcastEnable: isBroadcast },
        ...{ retryMaxTimes: Number(retries), retryQueueNums: Number(queues) },
      })
      onDone()
      onClose()
      if (given === undefined) go(['group', group])
    })
  }
  return (
    <Dialog title={given === undefined ? t('newGroup') : t('changeGroup', { group: given })} onClose={onClose}>
      <form onSubmit={submit}>
        {given === undefined ? (
          <Field label={t('name')}>
            <input
              required
              maxLength={255}
              value={group}
              onInput={event => setGroup(event.currentTarget.value)}
              spellcheck={false}
            />
          </Field>
        ) : null}
        <div class="two">
          <Field label={t('cluster')}>
            <ClusterSelect clusters={clusters} value={clusterName} onPick={setCluster} />
          </Field>
          <Field label={t('retryMaxTimes')} hint={t('retryMaxTimesHint')}>
            <input
              type="number"
              min={-1}
              required
              value={retries}
              onInput={event => setRetries(event.currentTarget.value)}
            />
          </Field>
          <Field label={t('retryQueues')}>
            <input
              type="number"
              min={0}
              max={1000}
              required
              value={queues}
              onInput={event => setQueues(event.currentTarget.value)}
            />
          </Field>
        </div>
        <label class="check">
          <input type="checkbox" checked={isEnabled} onChange={event => setEnabled(event.currentTarget.checked)} />{' '}
          {t('mayConsume')}
        </label>
        <label class="check">
          <input type="checkbox" checked={isBroadcast} onChange={event => setBroadcast(event.currentTarget.checked)} />{' '}
          {t('mayBroadcast')}
        </label>
        <Command line={groupCommand({ group, clusterName, isEnabled, isBroadcast, retries, queues, settings })} />
        <Problem error={error} />
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" class="primary" disabled={isBusy || group === '' || clusterName === ''}>
            {given === undefined ? t('create') : t('save')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
