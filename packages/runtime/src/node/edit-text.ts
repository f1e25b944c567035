import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/**
 * Has a person change a text: `editor` is a command line of the shell, run at this terminal with a file that nobody else may
 * read and that is gone afterwards. Throws where the editor cannot be started, or ends with an error.
 */
export async function editText(
  text: string,
  { editor, name }: { readonly editor: string; readonly name: string },
): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skua-edit-'))
  const file = path.join(folder, name)
  try {
    fs.writeFileSync(file, text, { mode: 0o600 })
    // As git does: the shell splits the words of the command, and the file's name is one of its own.
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', code =>
        code === 0 ? resolve() : reject(new Error(`the editor "${editor}" ended with ${code}: set VISUAL or EDITOR`)),
      )
    })
    return fs.readFileSync(file, 'utf8')
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
