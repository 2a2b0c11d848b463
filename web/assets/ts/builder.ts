// The builder's page: defines its elements.
import "./builder/app";
