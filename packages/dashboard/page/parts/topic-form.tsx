import { useState } from 'preact/hooks'
import { change } from '../api.ts'
import { topicCommand } from '../commands.ts'
import { go } from '../route.ts'
import { t } from '../text/text.ts'
import { useAct } from '../use.ts'
import { Command, Dialog, Field, Problem } from './basic.tsx'
import { ClusterSelect, useClusters } from './clusters.tsx'

export interface TopicBefore {
  readonly topic: string
  readonly clusterName: string
  readonly readQueueNums: number
  readonly writeQueueNums: number
  readonly perm: number
  readonly order: boolean
  readonly type: string
}

const types = ['UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION'] as const

/** A new topic, or other settings for one that is there. */
export const TopicForm = ({
  before,
  onClose,
  onDone,
}: {
  before?: TopicBefore
  onClose: () => void
  onDone: () => void
}) => {
  const clusters = useClusters()
  const [topic, setTopic] = useState(before?.topic ?? '')
  const [picked, setCluster] = useState(before?.clusterName)
  const clusterName = picked ?? clusters[0] ?? ''
  const [queues, setQueues] = useState(String(before?.writeQueueNums ?? 8))
  const [perm, setPerm] = useState(String(before?.perm ?? 6))
  const [order, setOrder] = useState(before?.order ?? false)
  const [type, setType] = useState<string>(before?.type ?? 'UNSPECIFIED')
  const { isBusy, error, run } = useAct()
  const count = Number(queues)
  const submit = (event: Event) => {
    event.preventDefault()
    void run(async () => {
      await change('topic/put', {
        topic,
        clusterName,
        readQueueNums: count,
        writeQueueNums: count,
        perm: Number(perm),
        order,
        type,
      })
      onDone()
      onClose()
      if (before === undefined) go(['topic', topic])
    })
  }
  return (
    <Dialog title={before === undefined ? t('newTopic') : t('changeTopic', { topic: before.topic })} onClose={onClose}>
      <form onSubmit={submit}>
        {before === undefined ? (
          <Field label={t('name')} hint={t('topicNameHint')}>
            <input
              required
              maxLength={127}
              value={topic}
              onInput={event => setTopic(event.currentTarget.value)}
              spellcheck={false}
            />
          </Field>
        ) : null}
        <div class="two">
          <Field label={t('cluster')}>
            <ClusterSelect clusters={clusters} value={clusterName} onPick={setCluster} />
          </Field>
          <Field label={t('queuesPerBroker')}>
            <input
              type="number"
              min={1}
              max={1024}
              required
              value={queues}
              onInput={event => setQueues(event.currentTarget.value)}
            />
          </Field>
          <Field label={t('permission')}>
            <select value={perm} onChange={event => setPerm(event.currentTarget.value)}>
              <option value="6">{t('permBoth')}</option>
              <option value="4">{t('permRead')}</option>
              <option value="2">{t('permWrite')}</option>
            </select>
          </Field>
          <Field label={t('type')} hint={t('typeHint')}>
            <select value={type} onChange={event => setType(event.currentTarget.value)}>
              {types.map(name => (
                <option key={name} value={name}>
                  {name === 'UNSPECIFIED' ? t('typeAny') : name}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <label class="check">
          <input type="checkbox" checked={order} onChange={event => setOrder(event.currentTarget.checked)} />{' '}
          {t('orderTopic')}
        </label>
        <Command line={topicCommand({ topic, clusterName, queues: count, perm: Number(perm), order, type })} />
        <Problem error={error} />
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" class="primary" disabled={isBusy || topic === '' || clusterName === ''}>
            {before === undefined ? t('create') : t('save')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
