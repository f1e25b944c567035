import { useState } from 'preact/hooks'
import type { brokerSet } from '../../src/endpoints/brokers.ts'
import { change } from '../api.ts'
import { settingCommand } from '../commands.ts'
import type { Setting } from '../pages/broker.tsx'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAct } from '../use.ts'
import { Command, Dialog, Facts, Field, Problem } from './basic.tsx'

/** One setting of a broker: what it is, what it becomes. */
export const SettingForm = ({
  address,
  setting,
  onClose,
  onDone,
}: {
  address: string
  setting: Setting
  onClose: () => void
  onDone: () => void
}) => {
  const [value, setValue] = useState(setting.isSecret ? '' : setting.value)
  const [done, setDone] = useState<AnswerOf<typeof brokerSet>['rows'][number] | undefined>(undefined)
  const { isBusy, error, run } = useAct()
  const submit = (event: Event) => {
    event.preventDefault()
    void run(async () => {
      const { rows } = await change<AnswerOf<typeof brokerSet>>('broker/set', {
        address,
        settings: { [setting.name]: value },
      })
      setDone(rows[0])
      onDone()
    })
  }
  return (
    <Dialog title={setting.name} onClose={onClose}>
      <form onSubmit={submit}>
        {setting.help === null ? null : <p>{setting.help}</p>}
        <Facts
          facts={[
            [t('value'), <code key="v">{setting.value}</code>],
            [t('standard'), <code key="d">{setting.standard ?? '–'}</code>],
            [t('kind'), setting.kind ?? '–'],
            [t('whenEffective'), setting.isLive === null ? t('unknown') : t(setting.isLive ? 'atOnce' : 'atStart')],
          ]}
        />
        <Field label={t('newValue')}>
          {setting.isSecret ? (
            <input
              type="password"
              autocomplete="off"
              value={value}
              onInput={event => setValue(event.currentTarget.value)}
            />
          ) : (
            <input value={value} onInput={event => setValue(event.currentTarget.value)} spellcheck={false} />
          )}
        </Field>
        <Command line={settingCommand(address, setting.name, setting.isSecret ? 'SECRET' : value)} />
        <Problem error={error} />
        {done === undefined ? null : (
          <div class={`banner ${setting.isSecret || done.after === value ? 'good' : 'warn'}`} role="status">
            {t('settingDone', { before: done.before ?? '–', after: done.after ?? '–' })}
          </div>
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {t('close')}
          </button>
          <button type="submit" class="primary" disabled={isBusy || value === setting.value}>
            {t('save')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
