import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../text/text.ts'
import { useAct } from '../use.ts'
import { Command, Dialog, Problem, TypedName } from './basic.tsx'

/** Asks before something is done: what will happen, the command that does the same, and for what destroys the name. */
export const Confirm = ({
  title,
  children,
  command,
  name,
  verb,
  act,
  onClose,
  isDangerous,
}: {
  title: string
  children?: ComponentChildren
  command?: string
  /** Must be typed. */
  name?: string
  verb: string
  act: () => Promise<unknown>
  onClose: () => void
  isDangerous?: boolean
}) => {
  const [typed, setTyped] = useState('')
  const { isBusy, error, run } = useAct()
  const submit = (event: Event) => {
    event.preventDefault()
    void run(async () => {
      await act()
      onClose()
    })
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {name === undefined ? null : <TypedName name={name} typed={typed} onType={setTyped} />}
        {command === undefined ? null : <Command line={command} />}
        <Problem error={error} />
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button
            type="submit"
            class={isDangerous ? 'danger' : 'primary'}
            disabled={isBusy || (name !== undefined && typed !== name)}
          >
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
