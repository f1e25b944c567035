/**
 * A small breakage of one file of packages/: `from` stands there exactly once, and `to` takes its place. The tests of the
 * file's package must notice it. `tests` names the files or folders that do, where running all of them takes long or where
 * the promise is kept in another package. `equal` says why nothing can notice.
 */
export const mutant = (name, file, from, to, more = {}) => ({ name, file: `packages/${file}`, from, to, ...more })
