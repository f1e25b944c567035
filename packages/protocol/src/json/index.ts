export { type ParseOptions, parseJavaJson } from './parse.ts'
export { doubleText, JavaDouble, type PrintOptions, printJavaJson } from './print.ts'
