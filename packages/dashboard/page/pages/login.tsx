import { useState } from 'preact/hooks'
import { change } from '../api.ts'
import { Field, Problem } from '../parts/basic.tsx'
import { t } from '../text/text.ts'
import { useAct } from '../use.ts'

export const Login = ({ onDone }: { onDone: () => void }) => {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const { isBusy, error, run } = useAct()
  const submit = (event: Event) => {
    event.preventDefault()
    void run(async () => {
      await change('login', { name, password })
      onDone()
    })
  }
  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <h1>
          <img src="icon.svg" alt="" width={28} height={28} /> {t('brand')}
        </h1>
        <Field label={t('accountName')}>
          <input value={name} onInput={event => setName(event.currentTarget.value)} autocomplete="username" required />
        </Field>
        <Field label={t('password')}>
          <input
            type="password"
            value={password}
            onInput={event => setPassword(event.currentTarget.value)}
            autocomplete="current-password"
            required
          />
        </Field>
        <Problem error={error} />
        <button type="submit" class="primary" disabled={isBusy}>
          {t('signIn')}
        </button>
      </form>
    </main>
  )
}
