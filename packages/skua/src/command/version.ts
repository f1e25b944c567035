/** Of package.json, which is not beside the built command everywhere; a test compares. */
export const version = '0.1.0'
