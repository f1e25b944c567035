/** How this command is called again: `bin/skua` of a clone, `npx skua` of a project, or `skua`. `script`: what node runs. */
export function nameAsCalled(script: string | undefined): string {
  const path = (script ?? '').replaceAll('\\', '/')
  if (path.includes('/node_modules/')) return 'npx skua'
  return path.endsWith('/dist/bundle/main.js') ? 'bin/skua' : 'skua'
}
