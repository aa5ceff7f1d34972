type Isolates = Record<'A' | 'B' | 'C', Fetcher>

/**
 * What stands before the isolates on this machine, as Cloudflare's network does before yours. A browser cannot choose its
 * isolate there; here `X-Isolate` names one, so that the page can ask each. Without it, all goes to A.
 */
export default {
  async fetch(request: Request, { A, B, C }: Isolates): Promise<Response> {
    const isolates: Record<string, Fetcher> = { A, B, C }
    const wanted = request.headers.get('X-Isolate') ?? 'A'
    const isolate = Object.hasOwn(isolates, wanted) ? isolates[wanted] : undefined
    if (!isolate) return Response.json({ error: 'There is no such isolate.' }, { status: 404 })
    const answer = await isolate.fetch(request)
    const response = new Response(answer.body, answer)
    response.headers.set('X-Isolates', Object.keys(isolates).join())
    return response
  },
}
