/**
 * Columns of numbers as bytes that compress well: all first bytes, then all second ones, and so on. What is constant in a column,
 * mostly its high bytes, then costs nothing. Source: the byte stream split of Apache Parquet.
 */

export function encodeIntegers(values: Uint32Array): Buffer {
  const { length } = values;
  const bytes = Buffer.allocUnsafeSlow(length * 4);
  for (let row = 0; row < length; row++) {
    const value = values[row] as number;
    bytes[row] = value;
    bytes[row + length] = value >>> 8;
    bytes[row + length * 2] = value >>> 16;
    bytes[row + length * 3] = value >>> 24;
  }
  return bytes;
}

export function decodeIntegers(bytes: Buffer, at: number, length: number): Uint32Array {
  const values = new Uint32Array(length);
  for (let row = 0, place = at; row < length; row++, place++)
    values[row] =
      (bytes[place] as number) |
      ((bytes[place + length] as number) << 8) |
      ((bytes[place + length * 2] as number) << 16) |
      ((bytes[place + length * 3] as number) << 24);
  return values;
}

/** Whole numbers of less than 2^53; the eighth byte is the sign. `differences`: of each to the one before. */
export function encodeNumbers(values: Float64Array, differences: boolean): Buffer {
  const { length } = values;
  const bytes = Buffer.allocUnsafeSlow(length * 8);
  let before = 0;
  for (let row = 0; row < length; row++) {
    const value = (values[row] as number) - before;
    if (differences) before = values[row] as number;
    const size = Math.abs(value);
    const low = size >>> 0;
    const high = (size - low) / 4_294_967_296;
    bytes[row] = low;
    bytes[row + length] = low >>> 8;
    bytes[row + length * 2] = low >>> 16;
    bytes[row + length * 3] = low >>> 24;
    bytes[row + length * 4] = high;
    bytes[row + length * 5] = high >>> 8;
    bytes[row + length * 6] = high >>> 16;
    bytes[row + length * 7] = value < 0 ? 1 : 0;
  }
  return bytes;
}

export function decodeNumbers(bytes: Buffer, differences: boolean): Float64Array {
  const length = bytes.length / 8;
  const values = new Float64Array(length);
  let before = 0;
  for (let row = 0; row < length; row++) {
    const low =
      (bytes[row] as number) |
      ((bytes[row + length] as number) << 8) |
      ((bytes[row + length * 2] as number) << 16) |
      ((bytes[row + length * 3] as number) << 24);
    const high =
      (bytes[row + length * 4] as number) |
      ((bytes[row + length * 5] as number) << 8) |
      ((bytes[row + length * 6] as number) << 16);
    const size = high * 4_294_967_296 + (low >>> 0);
    const value = before + (bytes[row + length * 7] === 0 ? size : -size);
    values[row] = value;
    if (differences) before = value;
  }
  return values;
}
