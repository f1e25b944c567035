import { useState } from 'preact/hooks'
import type { group as groupEndpoint } from '../../src/endpoints/groups.ts'
import type { reset, resetPreview } from '../../src/endpoints/offsets.ts'
import { change } from '../api.ts'
import { resetCommand } from '../commands.ts'
import { countText, inputTime, zonedTime } from '../format.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAct } from '../use.ts'
import { Command, Dialog, Field, Problem, TypedName } from './basic.tsx'
import { PlanTable } from './plan-table.tsx'

type Group = AnswerOf<typeof groupEndpoint>
type Plan = AnswerOf<typeof resetPreview>
type To = 'time' | 'earliest' | 'latest' | 'queues' | 'group'
const targets: readonly To[] = ['time', 'earliest', 'latest', 'queues', 'group']

/** Yesterday at nine: what people go back to most. */
function yesterday(): number {
  const at = new Date()
  // By the calendar: between two clocks a day has 23 or 25 hours.
  at.setDate(at.getDate() - 1)
  return at.setHours(9, 0, 0, 0)
}

/** Has a group go on elsewhere: first what it means, then the name, then it is done. */
export const ResetForm = ({ data, onClose, onDone }: { data: Group; onClose: () => void; onDone: () => void }) => {
  const { group } = data
  const topics = [
    ...new Set([...data.subscriptions.map(one => one.topic), ...data.queues.map(one => one.topic)]),
  ].filter(name => !name.startsWith('%'))
  const [topic, setTopic] = useState(topics[0] ?? '')
  const [to, setTo] = useState<To>('time')
  const [time, setTime] = useState(inputTime(yesterday()))
  const [other, setOther] = useState('')
  const [offsets, setOffsets] = useState<Readonly<Record<string, string>>>({})
  const [plan, setPlan] = useState<Plan | undefined>(undefined)
  const [typed, setTyped] = useState('')
  const [done, setDone] = useState<AnswerOf<typeof reset> | undefined>(undefined)
  const { isBusy, error, run } = useAct()
  const own = data.queues.filter(queue => queue.topic === topic)
  const keyOf = (queue: { brokerName: string; queueId: number }) => `${queue.brokerName}/${queue.queueId}`
  /** Those that somebody gave another place: a group that goes on meanwhile is not put back in the others. */
  const moved = own.flatMap(queue => {
    const { brokerName, queueId, consumerOffset } = queue
    const given = offsets[keyOf(queue)] ?? ''
    const offset = Number(given)
    return given === '' || offset === consumerOffset ? [] : [{ brokerName, queueId, offset }]
  })
  // An empty field may be asked about: the browser then says that it has to be filled in.
  const isNothing = to === 'queues' && moved.length === 0 && !own.some(queue => offsets[keyOf(queue)] === '')
  const wish = () => ({
    ...{ group, topic, to },
    ...(to === 'time' ? { timeMs: new Date(time).getTime() } : {}),
    ...(to === 'group' ? { otherGroup: other } : {}),
    ...(to === 'queues' ? { queues: moved } : {}),
  })
  const look = () => run(async () => setPlan(await change<Plan>('group/preview', wish())))
  const act = () =>
    run(async () => {
      setDone(await change<AnswerOf<typeof reset>>('group/reset', { ...wish(), confirm: typed }))
      onDone()
    })
  const changed =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      set(value)
      setPlan(undefined)
    }
  const command = resetCommand({
    ...{ group, topic, to, time: zonedTime(time), otherGroup: other },
    queues: moved,
  })
  return (
    <Dialog title={t('resetOf', { group })} onClose={onClose} wide>
      <form
        onSubmit={event => {
          event.preventDefault()
          void (plan === undefined ? look() : act())
        }}
      >
        <div class="two">
          <Field label={t('topic')}>
            <select value={topic} onChange={event => changed(setTopic)(event.currentTarget.value)}>
              {topics.map(name => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </Field>
          <Field label={t('goTo')}>
            <select value={to} onChange={event => changed(setTo)(event.currentTarget.value as To)}>
              {targets.map(one => (
                <option key={one} value={one}>
                  {t(`to_${one}`)}
                </option>
              ))}
            </select>
          </Field>
          {to === 'time' ? (
            <Field label={t('time')} hint={t('timeHint')}>
              <input
                type="datetime-local"
                step={1}
                required
                value={time}
                onInput={event => changed(setTime)(event.currentTarget.value)}
              />
            </Field>
          ) : null}
          {to === 'group' ? (
            <Field label={t('otherGroup')}>
              <input
                required
                value={other}
                onInput={event => changed(setOther)(event.currentTarget.value)}
                spellcheck={false}
              />
            </Field>
          ) : null}
        </div>
        {to === 'queues' ? (
          <div class="offsets">
            {own.map(queue => (
              <Field key={keyOf(queue)} label={keyOf(queue)}>
                <input
                  type="number"
                  min={0}
                  required
                  value={offsets[keyOf(queue)] ?? String(queue.consumerOffset)}
                  onInput={event => changed(setOffsets)({ ...offsets, [keyOf(queue)]: event.currentTarget.value })}
                />
              </Field>
            ))}
          </div>
        ) : null}
        <Command line={command} />
        <Problem error={error} />
        {plan === undefined || done !== undefined ? null : (
          <>
            <div class="banner warn">
              <span>{t('planSummary', { again: countText(plan.again), skipped: countText(plan.skipped) })}</span>
              <span>{plan.members === 0 ? t('planOffline') : t('planOnline', { count: plan.members })}</span>
            </div>
            <PlanTable queues={plan.queues} />
            <TypedName name={group} typed={typed} onType={setTyped} />
          </>
        )}
        {done === undefined ? null : (
          <>
            <div class="banner good" role="status">
              {done.by === 'commit' ? t('resetCommitted') : t('resetTold')} {t('undoHint')}
            </div>
            <PlanTable queues={done.queues} />
          </>
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {done === undefined ? t('cancel') : t('close')}
          </button>
          {done !== undefined ? null : plan === undefined ? (
            <button type="submit" class="primary" disabled={isBusy || topic === '' || isNothing}>
              {t('preview')}
            </button>
          ) : (
            <button type="submit" class="danger" disabled={isBusy || typed !== group}>
              {t('resetNow')}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  )
}
