import { memoryPersistence } from "./memory-persistence.ts";
import { persistenceCases } from "./persistence.cases.ts";

persistenceCases(() => {
  const persistence = memoryPersistence();
  return { persistence, reopen: () => persistence };
});
