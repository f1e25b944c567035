import type { PageFiles } from '../src/index.ts'

/** The page as it is built for users, in memory. */
export async function buildPage(): Promise<PageFiles> {
  const { buildPage: build } = (await import(new URL('../page/build.mjs', import.meta.url).href)) as {
    buildPage(): Promise<PageFiles>
  }
  return build()
}
