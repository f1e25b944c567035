import { useEffect, useState } from 'preact/hooks'
import type { undo } from '../../src/endpoints/offsets.ts'
import { change } from '../api.ts'
import { undoCommand } from '../commands.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAct } from '../use.ts'
import { Command, Dialog, Loading, Problem, Time } from './basic.tsx'
import { PlanTable } from './plan-table.tsx'

type Undone = AnswerOf<typeof undo>

/** Shows what the last move was and where each queue goes back to, then does it. */
export const UndoForm = ({ group, onClose, onDone }: { group: string; onClose: () => void; onDone: () => void }) => {
  const [plan, setPlan] = useState<Undone | undefined>(undefined)
  const { isBusy, error, run } = useAct()
  useEffect(() => {
    void run(async () => setPlan(await change<Undone>('group/undo', { group, dryRun: 'yes' })))
  }, [])
  const act = () =>
    run(async () => {
      await change('group/undo', { group, atMs: plan?.atMs })
      onDone()
      onClose()
    })
  return (
    <Dialog title={t('undoOf', { group })} onClose={onClose} wide>
      <Problem error={error} />
      {plan === undefined ? (
        <Loading unless={error} />
      ) : (
        <>
          <p>
            {t('undoWhat', { who: plan.who })} <Time ms={plan.atMs} />
          </p>
          {plan.kept === 0 ? null : <p class="quiet">{t('undoKept', { count: plan.kept })}</p>}
          <PlanTable queues={plan.queues} />
        </>
      )}
      <Command line={undoCommand(group)} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          {t('cancel')}
        </button>
        <button type="button" class="primary" disabled={isBusy || plan === undefined} onClick={act}>
          {t('undoNow')}
        </button>
      </div>
    </Dialog>
  )
}
