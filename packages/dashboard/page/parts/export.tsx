import { addressOf } from '../api.ts'
import { t } from '../text/text.ts'

/** Messages of a topic into a file of JSON lines: the browser writes it as it comes, and nothing of it is held in the tab. */
export const Export = ({ topic }: { topic: string }) => (
  <a
    class="button"
    href={addressOf('messages/export', { topic })}
    download={`${topic}.jsonl`}
    title={t('downloadWhat')}
  >
    {t('download')}
  </a>
)
