import { api } from '../../../query'

/** The server fills the variables, so that a preview and what is sent can't differ. */
export function renderCanned(id: string, caseId: string): Promise<{ text: string; html: string }> {
  return api.post<{ text: string; html: string }>(`/api/canned/${id}/render`, { case_id: caseId })
}
