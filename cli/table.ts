/**
 * Rows as text: aligned for a terminal, TAB-separated with exact numbers for a pipe, and as CSV.
 *
 * Column names are in capitals without blanks, so that awk and cut work on either form.
 */

export type Cell = string | number | boolean | null;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface TableStyle {
  readonly hasHeader: boolean;
  /** Undefined = not aligned, for a pipe. */
  readonly heading: ((text: string) => string) | undefined;
}

/** Lines without their ends; none where there is no row and no header. */
export function formatTable(table: Table, style: TableStyle): readonly string[] {
  const rows = table.rows.map((row) => row.map(cellText));
  const lines = style.hasHeader && table.rows.length > 0 ? [table.columns, ...rows] : rows;
  if (style.heading === undefined) return lines.map((cells) => cells.join("\t"));
  const widths = table.columns.map((_, column) =>
    Math.max(...lines.map((cells) => [...(cells[column] ?? "")].length), 0)
  );
  return lines.map((cells, index) => {
    const line = cells.map((cell, column) => pad(cell, widths[column] as number)).join("  ")
      .trimEnd();
    return lines !== rows && index === 0 ? (style.heading as (text: string) => string)(line) : line;
  });
}

function cellText(cell: Cell): string {
  return cell === null ? "-" : String(cell);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - [...text].length, 0));
}

/** RFC 4180, with line feeds; null is an empty cell. */
export function formatCsv(table: Table, hasHeader: boolean): readonly string[] {
  const lines = hasHeader ? [table.columns, ...table.rows] : table.rows;
  return lines.map((cells) => cells.map(csvCell).join(","));
}

function csvCell(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
