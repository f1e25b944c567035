// Preloaded by the long test run: gives fast-check the seed that was printed, and more runs where a test names none.
import fc from 'fast-check'

const seed = process.env.SKUA_PROPERTY_SEED
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed), numRuns: 2000 })
