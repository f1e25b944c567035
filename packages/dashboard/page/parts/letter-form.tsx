import { useEffect, useState } from 'preact/hooks'
import type { deadLetter } from '../../src/endpoints/dead-letters.ts'
import { letterCommand } from '../commands.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'
import { Command, Dialog, Facts, Field, Loading, Problem, Time } from './basic.tsx'
import { Results, useResend } from './resend-form.tsx'
import { propertiesOf } from './send-form.tsx'

type Letter = AnswerOf<typeof deadLetter>

/** One dead letter: to be read, changed and sent again. */
export const LetterForm = ({ group, id, onClose }: { group: string; id: string; onClose: () => void }) => {
  const { data, error, again } = useAsk<Letter>('dead/letter', { group, id })
  return (
    <Dialog title={t('deadLetterOf', { group })} onClose={onClose} wide>
      <Problem error={error} again={again} />
      {data === undefined ? <Loading unless={error} /> : <Edit group={group} letter={data} onClose={onClose} />}
    </Dialog>
  )
}

const linesOf = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')

const Edit = ({ group, letter, onClose }: { group: string; letter: Letter; onClose: () => void }) => {
  const { row, body: before } = letter.message
  const [body, setBody] = useState(before.content)
  const [lines, setLines] = useState(linesOf(letter.editable))
  const { results, state, error, run } = useResend()
  useEffect(() => {
    setBody(before.content)
    setLines(linesOf(letter.editable))
  }, [letter])
  const properties = propertiesOf(lines)
  const changes = Object.fromEntries(
    [...new Set([...Object.keys(letter.editable), ...Object.keys(properties ?? {})])]
      .filter(name => letter.editable[name] !== properties?.[name])
      .map(name => [name, properties?.[name] ?? '']),
  )
  const isChanged = body !== before.content || Object.keys(changes).length > 0
  const submit = (event: Event) => {
    event.preventDefault()
    void run({
      ...{ group, ids: [row.offsetMsgId] },
      ...(body === before.content ? {} : { body, bodyEncoding: before.encoding }),
      ...(Object.keys(changes).length === 0 ? {} : { properties: changes }),
    })
  }
  const mayEdit = mayChange() && !before.isCut
  return (
    <form onSubmit={submit}>
      <Facts
        facts={[
          [t('messageId'), <code key="i">{row.msgId}</code>],
          [t('firstTopic'), letter.originTopic ?? t('notTold')],
          [t('died'), <Time key="d" ms={row.storedAtMs} />],
          [t('tries'), row.reconsumeTimes],
        ]}
      />
      <Field label={before.encoding === 'text' ? t('body') : t('bodyBase64')}>
        <textarea
          rows={8}
          readOnly={!mayEdit}
          value={body}
          onInput={event => setBody(event.currentTarget.value)}
          spellcheck={false}
        />
      </Field>
      <Field label={t('properties')} hint={t('propertiesHint')}>
        <textarea
          rows={4}
          readOnly={!mayChange()}
          value={lines}
          onInput={event => setLines(event.currentTarget.value)}
          spellcheck={false}
          aria-invalid={properties === undefined}
        />
      </Field>
      <Command
        line={letterCommand(group, row.offsetMsgId, { isBodyChanged: body !== before.content, properties: changes })}
      />
      <Problem error={error} />
      <Results results={results} state={state} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          {t('close')}
        </button>
        {mayChange() ? (
          <button
            type="submit"
            class="primary"
            disabled={state !== 'ready' || properties === undefined || letter.originTopic === null}
          >
            {isChanged ? t('resendChanged') : t('resend')}
          </button>
        ) : null}
      </div>
    </form>
  )
}
