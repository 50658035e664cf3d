export {
  type AppModel as App,
  type Backing,
  defineApp,
  type Environment,
  type External,
  type Job,
  type ObjectPatch,
  type Route,
  type Secret,
  type Service,
} from "@flotilla/app";
