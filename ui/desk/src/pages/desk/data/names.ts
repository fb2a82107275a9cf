// What a customer is called who has not said a name: a visitor, with a mark that tells two of them apart.

type Translate = (key: string, params?: Record<string, unknown>) => string

/** The last four digits of the id: its first ones are the time, and much the same for all of one hour. */
export function customerName(customer: { id: string | null; name: string }, t: Translate): string {
  return customer.name || t('desk.unnamed', { mark: (customer.id ?? '').slice(-4).toUpperCase() }).trim()
}
