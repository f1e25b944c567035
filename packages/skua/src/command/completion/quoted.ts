/** A text as one word of a shell: bash, zsh and fish end and begin quotes alike. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
