// @ts-check
// The data of docs/lab.md, and what the page makes of them.

/**
 * @typedef {{shape: number[], values: (number | string)[], sampled?: number[][], least?: number | string, largest?: number | string,
 *   length?: number | string}} Numbers
 * @typedef {{text: string, mathml: string}} Formula
 * @typedef {{id: number, name: string, operation: string, kind: string, inputs: number[], shape: number[], group: string,
 *   letters: string[], line: number | null, formula: Formula | null, derivatives: (Formula | null)[], value: Numbers,
 *   adjoint: Numbers | null, digits: number | null}} Node
 * @typedef {{to: number, input: number, value: Numbers}} Contribution
 * @typedef {{line: number, text: string, verdict: string, reason: string, repair: string, node: number | null,
 *   value: Numbers | null, tape: Numbers | null, letters: string[]}} Claim
 * @typedef {{format: number, title: string, precision: string, result: number, nodes: Node[],
 *   backward: {node: number, bytes: number, contributions: Contribution[]}[], memory?: {after: number, bytes: number}[],
 *   claims?: Claim[], source?: string, notes?: string[], first?: Record<string, number>, training?: Later[]}} Recording
 * @typedef {{value?: Numbers, adjoint?: Numbers, digits?: number, tape?: Numbers}} Changed what has other numbers than at the step before
 * @typedef {{nodes: Changed[], backward: {contributions: Changed[]}[], claims?: Changed[]}} Later a later step of a training
 * @typedef {Record<string, number>} Cursor the cell that is looked at: a letter's place
 * @typedef {{text: string, from?: "value" | "adjoint", letter?: string, part?: Part}} Piece part: whose name it is
 * @typedef {{out: string[], over: string[], sizes: Map<string, number>, term: (cursor: Cursor) => number,
 *   pieces: (cursor: Cursor) => Piece[], rule: Piece[], parts: Part[], entrywise: boolean, more?: (cursor: Cursor) => Piece[],
 *   extra?: (cursor: Cursor) => number, share?: number}} Sum what an array's entry is the sum of: its letters, those summed over, a term
 * @typedef {{name: string, of: string, array: Numbers, letters: string[], adjoint: boolean, node: number}} Part
 * @typedef {{kind: "leaf" | "value" | "seed" | "edge", node: number, edge?: Contribution, term?: number, terms?: number,
 *   part?: "unsummed" | "summed"}} Step
 * @typedef {globalThis.Node | string} Node2 an element or text
 */
export {};
