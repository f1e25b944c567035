import { useState } from 'preact/hooks'
import type { send } from '../../src/endpoints/live.ts'
import { change } from '../api.ts'
import { sendCommand } from '../commands.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAct } from '../use.ts'
import { Command, Dialog, Field, Link, Problem } from './basic.tsx'

type Sent = AnswerOf<typeof send>

/** Lines `name=value`; undefined for one that is none. */
export function propertiesOf(text: string): Record<string, string> | undefined {
  const found: Record<string, string> = {}
  for (const line of text.split('\n').filter(one => one.trim() !== '')) {
    const at = line.indexOf('=')
    if (at < 1) return undefined
    found[line.slice(0, at)] = line.slice(at + 1)
  }
  return found
}

/** A message to try with. */
export const SendForm = ({ topic, onClose, onDone }: { topic: string; onClose: () => void; onDone: () => void }) => {
  const [body, setBody] = useState('')
  const [tags, setTags] = useState('')
  const [keys, setKeys] = useState('')
  const [lines, setLines] = useState('')
  const [delay, setDelay] = useState('')
  const [orderKey, setOrderKey] = useState('')
  const [sent, setSent] = useState<Sent | undefined>(undefined)
  const { isBusy, error, run } = useAct()
  const properties = propertiesOf(lines)
  const submit = (event: Event) => {
    event.preventDefault()
    void run(async () => {
      const seconds = Number(delay)
      const given = {
        ...{ topic, body, properties },
        ...(tags === '' ? {} : { tags }),
        ...(keys === '' ? {} : { keys }),
        ...(orderKey === '' ? {} : { orderKey }),
        ...(delay === '' ? {} : { deliverAtMs: Date.now() + seconds * 1000 }),
      }
      setSent(await change<Sent>('send', given))
      onDone()
    })
  }
  return (
    <Dialog title={t('sendTo', { topic })} onClose={onClose} wide>
      <form onSubmit={submit}>
        <Field label={t('body')}>
          <textarea rows={6} value={body} onInput={event => setBody(event.currentTarget.value)} spellcheck={false} />
        </Field>
        <div class="two">
          <Field label={t('tag')}>
            <input value={tags} onInput={event => setTags(event.currentTarget.value)} />
          </Field>
          <Field label={t('keys')} hint={t('keysHint')}>
            <input value={keys} onInput={event => setKeys(event.currentTarget.value)} />
          </Field>
          <Field label={t('delaySeconds')} hint={t('delayHint')}>
            <input type="number" min={1} value={delay} onInput={event => setDelay(event.currentTarget.value)} />
          </Field>
          <Field label={t('orderKey')} hint={t('orderKeyHint')}>
            <input value={orderKey} onInput={event => setOrderKey(event.currentTarget.value)} />
          </Field>
        </div>
        <Field label={t('properties')} hint={t('propertiesHint')}>
          <textarea
            rows={2}
            value={lines}
            onInput={event => setLines(event.currentTarget.value)}
            spellcheck={false}
            aria-invalid={properties === undefined}
          />
        </Field>
        <Command line={sendCommand({ topic, body, tags, keys, delay, orderKey, properties: properties ?? {} })} />
        <Problem error={error} />
        {sent === undefined ? null : (
          <div class={`banner ${sent.isStoredSafely ? 'good' : 'warn'}`} role="status">
            <strong>{sent.sendStatus}</strong>
            <Link to={['message', sent.msgId]} query={{ topic }}>
              {sent.msgId}
            </Link>
            <span>{`${sent.brokerName}/${sent.queueId} @${sent.queueOffset}`}</span>
          </div>
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {t('close')}
          </button>
          <button type="submit" class="primary" disabled={isBusy || properties === undefined}>
            {t('send')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
