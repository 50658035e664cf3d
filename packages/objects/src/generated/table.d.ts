/** The table of kinds as JSON text; src/lookup.ts parses it when first asked. */
export declare const tableText: string;
