export * from './client'
export * from './problem'
export * from './types'
export { newId } from './id'
