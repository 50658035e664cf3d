export type {
  AppModel as App,
  Backing,
  Environment,
  External,
  Job,
  ObjectPatch,
  Route,
  Secret,
  Service,
} from "@flotilla/app";
export { defineApp } from "@flotilla/app/define";
